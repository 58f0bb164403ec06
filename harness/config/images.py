"""Which container image belongs to which server: `IMAGE`, or `SERVER=IMAGE, SERVER=IMAGE` for several servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import ConfigError

#: What users call the servers that harness starts → how an image names its server.
_SERVERS = {"postgres": "postgres", "postgresql": "postgres", "mariadb": "mariadb", "mysql": "mysql"}


def image_for(database: str, images: str | None) -> str | None:
    """Return the image that `harness_image` gives for a database; None for the server's own."""
    server = _server(database)
    if server is None or images is None:
        return None
    named, plain = _split(images)
    return named.get(server, plain[0] if plain else None)


def check_images(images: str, databases: Sequence[str], source: str, *, together: bool) -> None:
    """Check that each image belongs to one server.

    Args:
        images: the value of `harness_image`.
        databases: those of `harness_database`.
        source: where the images come from.
        together: whether both were said on one command line, so that an image without a use is a contradiction.

    Raises:
        ConfigError: an image could belong to several servers or to none, or a server has two.
    """
    servers = list(dict.fromkeys(server for server in map(_server, databases) if server is not None))
    _check_names(images, source)
    named, plain = _split(images)
    open_ = [server for server in servers if server not in named]
    if len(plain) > 1 or (plain and len(open_) > 1):
        raise ConfigError(
            f"the image {plain[0]} could be that of {' or '.join(open_ if len(open_) > 1 else servers or _NAMES)}",
            where=source,
            why="each server runs in a container of its own",
            remedy=f"say whose it is: {_example(open_, plain)}",
        )
    useless = plain[0] if plain and not servers else next((f"{n}={named[n]}" for n in named if n not in servers), None)
    if useless and together:
        raise ConfigError(
            f"--harness-image={useless} has no use with --harness-database={', '.join(map(kind, databases))}",
            why="an image is for a server that harness starts",
            remedy="leave out one of the two, or use --harness-database=postgres, mariadb or mysql",
        )


_NAMES = tuple(dict.fromkeys(_SERVERS.values()))


def _check_names(images: str, source: str) -> None:
    seen: dict[str, str] = {}
    for text in _parts(images):
        name, separator, image = (part.strip() for part in text.partition("="))
        if not separator:
            continue
        server = _server(name)
        if server is None or not image:
            raise ConfigError(
                f"harness_image does not know the server {name!r}" if server is None else f"{text!r} names no image",
                where=source,
                remedy=f"write SERVER=IMAGE; servers: {', '.join(_NAMES)}",
            )
        if server in seen:
            raise ConfigError(
                f"harness_image names two images of {server}: {seen[server]} and {image}",
                where=source,
                remedy="leave out one of the two",
            )
        seen[server] = image


def _parts(images: str) -> list[str]:
    return [part.strip() for part in images.split(",") if part.strip()]


def _split(images: str) -> tuple[dict[str, str], list[str]]:
    """Return the images that name their server, and the others."""
    named, plain = {}, []
    for text in _parts(images):
        name, separator, image = (part.strip() for part in text.partition("="))
        if separator:
            named[_server(name) or name] = image
        else:
            plain.append(text)
    return named, plain


def _server(database: str) -> str | None:
    return _SERVERS.get(database.strip().lower())


def _example(servers: Iterable[str], images: Iterable[str]) -> str:
    names = dict.fromkeys((*servers, *_NAMES))
    return f"harness_image = {', '.join(f'{name}={image}' for name, image in zip(names, images, strict=False))}"


def kind(database: str) -> str:
    """Return a database as a message may show it: of a URL, only what kind it is."""
    return database.split(":", 1)[0] + "://…" if "://" in database else database
