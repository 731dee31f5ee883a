from transfer.models.transfers import Moved, Transfer, TransferFile

__all__ = ["Moved", "Transfer", "TransferFile"]
