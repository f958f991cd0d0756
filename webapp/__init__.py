"""The web application: rooms in which people share one cluster, with pages, an API and a feed."""
