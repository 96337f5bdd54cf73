"""The assistant as tools that another agent calls, over MCP."""
