"""Thinking: a message becomes a run, one at a time per session; a run is turns of model and tools until there is an answer."""
