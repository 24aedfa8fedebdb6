"""Knowing how: SKILL.md folders and notebook skills."""
