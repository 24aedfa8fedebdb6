"""WebChat: the chat in JupyterLab and on the web page."""
