"""Tools of MCP servers: other programs whose words and results are not trusted (TOL-25)."""
