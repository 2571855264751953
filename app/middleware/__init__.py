"""ASGI layers around the routes; every request passes through them."""
