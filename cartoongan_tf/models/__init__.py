"""The networks, their losses and their files, in Keras alone."""
