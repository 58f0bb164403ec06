"""The shop's routes: `users`, `items`, `orders`, their async twins, and the stock socket."""
