"""The page that draws photos in browsers: its files, its server, and a check of it in a browser."""
