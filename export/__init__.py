"""A trained generator -> what servers and phones load, each file checked against Keras before it counts."""
