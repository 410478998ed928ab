"""Web page: the editor in the browser, and the static files it is made of."""
