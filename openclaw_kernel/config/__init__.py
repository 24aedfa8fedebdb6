"""What the user wrote: JSON5 reading, the schema, references, the reload plan."""
