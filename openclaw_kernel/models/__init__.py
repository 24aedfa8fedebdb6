"""Speaking to models: provider protocol, catalogue, one file per wire format."""
