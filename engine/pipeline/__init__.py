"""The paper's section 4: mirror, load jobs into a warehouse, and the audit."""
