"""Pictures for the documents, drawn from journals that the engine writes while they are being drawn."""
