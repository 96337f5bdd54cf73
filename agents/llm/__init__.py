"""Asking a language model: one client for any OpenAI-compatible endpoint, with cache, budget, rate limit, retries and breaker."""
