"""Page objects: they know where things are on the page; what to expect of them is the tests' business."""
