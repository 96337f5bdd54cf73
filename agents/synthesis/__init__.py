"""Synthesis of Examples as a LangGraph: sample, write, label, verify, revise."""
