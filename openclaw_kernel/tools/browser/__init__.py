"""A browser of the assistant's own: system Chromium, driven through Playwright, behind a door that judges every address."""
