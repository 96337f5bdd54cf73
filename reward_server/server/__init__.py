"""The HTTP server: the ASGI application, its guards, metrics, workers and explorer page."""
