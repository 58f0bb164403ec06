"""What the shop does, whoever asks.

Each function works in the transaction of the session it is given and never commits: that is the caller's
word. One that fails after it has written rolls back first. An async caller goes through
`AsyncSession.run_sync`, so that the rules of the shop are written once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from sample_app.models import Item, Order, OrderLine, OrderStatus, User

if TYPE_CHECKING:
    from sqlalchemy import CursorResult, Select, Update
    from sqlalchemy.orm import Session

    from sample_app.schemas import ItemCreate, OrderCreate, UserCreate

HOUSE_BLEND = "house-blend"


class ShopError(Exception):
    """A request that the shop turns down."""


class NotFoundError(ShopError):
    """No such user, item or order."""


class ConflictError(ShopError):
    """What is asked for does not agree with what is there."""


class OutOfStockError(ConflictError):
    """Fewer items are left than are wanted."""


def list_users(limit: int, offset: int) -> Select[User]:
    """Select a page of users."""
    return select(User).order_by(User.id).limit(limit).offset(offset)


def list_items(limit: int, offset: int) -> Select[Item]:
    """Select a page of the catalogue."""
    return select(Item).order_by(Item.sku).limit(limit).offset(offset)


def orders_with_details() -> Select[Order]:
    """Select orders with all that `OrderRead` shows, in two statements however many there are."""
    return select(Order).options(joinedload(Order.user), selectinload(Order.lines).joinedload(OrderLine.item))


def list_orders(limit: int, offset: int) -> Select[Order]:
    """Select a page of orders."""
    return orders_with_details().order_by(Order.id).limit(limit).offset(offset)


def find_user(session: Session, user_id: int) -> User:
    """Return the user, or raise `NotFoundError`."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFoundError(f"no user {user_id}")
    return user


def find_item(session: Session, sku: str) -> Item:
    """Return the item, or raise `NotFoundError`."""
    item = session.scalar(select(Item).where(Item.sku == sku))
    if item is None:
        raise NotFoundError(f"no item {sku}")
    return item


def find_order(session: Session, order_id: int) -> Order:
    """Return the order as the database has it, with its details, or raise `NotFoundError`."""
    statement = orders_with_details().where(Order.id == order_id).execution_options(populate_existing=True)
    order = session.scalar(statement)
    if order is None:
        raise NotFoundError(f"no order {order_id}")
    return order


def register_user(session: Session, data: UserCreate) -> User:
    """Add a user; an email that is taken is a `ConflictError`."""
    user = User(**data.model_dump())
    session.add(user)
    flush_or_refuse(session, f"the email {data.email} is taken")
    return user


def remove_user(session: Session, user_id: int) -> None:
    """Delete a user; one who has orders stays, with a `ConflictError`."""
    session.delete(find_user(session, user_id))
    flush_or_refuse(session, f"user {user_id} has orders")


def add_item(session: Session, data: ItemCreate) -> Item:
    """Add an item; a sku that is taken is a `ConflictError`."""
    item = Item(**data.model_dump())
    session.add(item)
    flush_or_refuse(session, f"the sku {data.sku} is taken")
    return item


def seed_catalogue(session: Session) -> None:
    """Add the house blend, unless it is there or another process adds it in this moment."""
    if session.scalar(select(Item.id).where(Item.sku == HOUSE_BLEND)) is not None:
        return
    session.add(Item(sku=HOUSE_BLEND, name="House blend", price=Decimal("7.00"), stock=100))
    try:
        session.flush()
    except IntegrityError:
        session.rollback()


def place_order(session: Session, data: OrderCreate) -> Order:
    """Take the stock of all lines and write the order; on `OutOfStockError` nothing was taken."""
    user = find_user(session, data.user_id)
    wanted = {line.sku: line.quantity for line in data.lines}
    ids = {sku: id_ for id_, sku in session.execute(select(Item.id, Item.sku).where(Item.sku.in_(wanted)))}
    missing = sorted(wanted.keys() - ids.keys())
    if missing:
        raise NotFoundError(f"no item {', '.join(missing)}")

    order = Order(user_id=user.id)
    # By id, as everybody: two orders that take the same rows in two directions would lock each other out.
    for sku in sorted(wanted, key=lambda sku: ids[sku]):
        if not take_stock(session, ids[sku], wanted[sku]):
            session.rollback()
            raise OutOfStockError(f"fewer than {wanted[sku]} of {sku} left")
        order.lines.append(OrderLine(item_id=ids[sku], quantity=wanted[sku]))
    session.add(order)
    session.flush()
    return find_order(session, order.id)


def cancel_order(session: Session, order_id: int) -> Order:
    """Cancel an order that was not shipped, and put its items back."""
    if session.get(Order, order_id) is None:
        raise NotFoundError(f"no order {order_id}")
    still_placed = update(Order).where(Order.id == order_id, Order.status == OrderStatus.PLACED)
    if count_changed(session, still_placed.values(status=OrderStatus.CANCELLED)) == 0:
        session.rollback()
        raise ConflictError(f"order {order_id} can no longer be cancelled")
    lines = select(OrderLine.item_id, OrderLine.quantity).where(OrderLine.order_id == order_id)
    for item_id, quantity in session.execute(lines.order_by(OrderLine.item_id)).all():
        session.execute(update(Item).where(Item.id == item_id).values(stock=Item.stock + quantity))
    return find_order(session, order_id)


def take_stock(session: Session, item_id: int, quantity: int) -> bool:
    """Take so many off the stock, if there are so many.

    One statement checks and takes: between a SELECT and an UPDATE another order could take the same items.
    """
    enough = update(Item).where(Item.id == item_id, Item.stock >= quantity)
    return count_changed(session, enough.values(stock=Item.stock - quantity)) == 1


def count_changed(session: Session, statement: Update) -> int:
    """Run an UPDATE and say how many rows it met."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def flush_or_refuse(session: Session, reason: str) -> None:
    """Send what is pending; if a constraint stands against it, roll back and raise `ConflictError`."""
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise ConflictError(reason) from error
