"""The parts that the composition root builds from several rooms: credentials, log, toolboxes."""
