"""The Streamlit UI. `app.py` is its entry file; it talks to the API over HTTP only."""
