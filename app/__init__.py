"""The API. Without this file, `import app` would import the UI's entry file `app.py` instead."""
