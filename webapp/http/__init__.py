"""The views, all of them thin: pages, controls, panels, the JSON API, embeds and the feed's handshake."""
