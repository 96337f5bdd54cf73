"""Supervised fine-tuning of the tiny policy."""
