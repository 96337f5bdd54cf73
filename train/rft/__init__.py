"""Reinforcement fine-tuning: recipes composed and checked, run on verl, resumed, exported."""
