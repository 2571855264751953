"""The Streamlit UI; `app.py` is its entry file. It gets all its data from the API over HTTP."""
