"""ASGI middleware around the Streamlit application.

One class redirects unknown addresses, another one serves static files faster.
"""
