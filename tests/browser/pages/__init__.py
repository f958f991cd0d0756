"""Page objects: they know where things are on the page; the tests know what to expect of them."""
