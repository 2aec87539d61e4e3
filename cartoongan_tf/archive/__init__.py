"""An archive of pictures and films, drawn by many machines through Apache Beam."""
