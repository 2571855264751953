"""The pages of the UI, one module per page. Streamlit runs the module of the open page."""
