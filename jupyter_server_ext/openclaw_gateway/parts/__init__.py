"""What the composition root builds out of several rooms; a part holds the joints, the rooms hold the behaviour."""
