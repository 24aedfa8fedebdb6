"""Speaking to models: one provider contract, one file per wire format, vendors as data; SDKs load on first use."""
