"""Thinking: turn, loop, prompt, lanes."""
