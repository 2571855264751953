"""Parts of pages, such as the form, charts, tables and error messages."""
