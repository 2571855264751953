"""The online service. This file makes `app` the package, where `app.py` would else win the name."""
