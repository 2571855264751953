"""The prediction API. Without this file, `import app` would load the UI's file `app.py` instead."""
