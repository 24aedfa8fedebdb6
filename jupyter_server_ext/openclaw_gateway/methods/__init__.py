"""One file per method family; each exports `METHODS`, and `catalogue.py` puts them together."""
