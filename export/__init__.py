"""The export of a trained generator to servers and phones, each file checked against Keras before it is published."""
