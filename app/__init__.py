"""The API. This file makes `app` a package; without it, `import app` would find `app.py`."""
