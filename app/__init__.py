"""The API. Without this file, `import app` would load the UI's entry file `app.py` instead."""
