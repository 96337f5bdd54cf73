"""One client for any OpenAI-compatible endpoint: cache, budget, rate limit, retries, breaker.

`ChatClient` (client.py) sends `ChatRequest`s (request.py) as a `ClientConfig` (config.py) says.
Answers are cached (cache.py), tokens and money are counted (budget.py), failed calls are tried
again (retry.py) or hold everybody back (breaker.py), and JSON objects are checked (structured.py).
The package knows nothing of what is asked, or why.
"""
