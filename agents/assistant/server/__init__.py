"""The assistant over HTTP: a page, a typed API, kept conversations and the OpenAI chat API."""
