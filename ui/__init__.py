"""The Streamlit UI. `app.py` is its entry file; all data come from the API over HTTP."""
