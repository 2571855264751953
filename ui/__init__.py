"""The web pages of this project (the UI), made with Streamlit. They start from `app.py`.

The UI gets all its data from the project's API, by HTTP requests.
"""
