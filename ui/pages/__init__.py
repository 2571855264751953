"""The UI's pages, one module per page; Streamlit's `st.navigation` runs the current one."""
