"""ASGI middleware: layers around the routes that every request passes through."""
