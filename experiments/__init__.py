"""The paper's figures and comparisons again, and the methods that it compares itself with."""
