"""Pictures of the stage in every state that a person judges it by."""
