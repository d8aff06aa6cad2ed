"""What else one could train with: torch.compile of the eager step, and for the baselines torch's own LSTM layers.

Shape suffixes: T time steps, B sequences of the batch, I input channels, H cells of one layer, O output channels.
"""

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from ntm_repro import loss
from ntm_repro.bench.cases import Tensors
from ntm_repro.kernels import Eager
from ntm_repro.models import Model, State
from ntm_repro.models.base import bounded
from ntm_repro.models.controllers import LSTMLayer
from ntm_repro.models.lstm import LSTMBaseline
from ntm_repro.training.settings import TrainSettings


class Compiled(Eager):
    """The eager kernel with its time step compiled; the loop over time stays in Python.

    The first calls compile, for the batch size and the number of threads of the moment. Whatever torch.compile raises,
    they raise.
    """

    name = "compile"

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        torch.compiler.reset()  # what was compiled for other threads or sizes would count as a recompilation

        def step(x_BI: Tensor, state: State, gradient_bound: float) -> tuple[Tensor, State]:
            return model.advance(x_BI, bounded(state, gradient_bound))[:2]

        self._step = torch.compile(step, dynamic=False)

    def _logits(self, x_TBI: Tensor, gradient_bound: float) -> Tensor:
        # Copies: expanded tensors have other strides than those of later steps and would be compiled for apart.
        first = self.model.initial_state(x_TBI.shape[1])
        state = pytree.tree_map(lambda leaf: leaf.clone(memory_format=torch.contiguous_format), first)
        outputs = []
        for x_BI in x_TBI:
            y_BO, state = self._step(x_BI, state, gradient_bound)
            outputs.append(y_BO)
        return torch.stack(outputs)


class TorchLSTM(nn.Module):
    """The function of an `LSTMBaseline`, by one `torch.nn.LSTM` for each layer.

    A layer's second bias, which the baseline does not have, starts at zero.
    """

    def __init__(self, twin: LSTMBaseline) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.starts = nn.ParameterList()
        for layer in twin.stack.layers:
            assert isinstance(layer, LSTMLayer)
            size = layer.gates.out_features // 4
            inputs = layer.gates.in_features - size
            ours = nn.LSTM(inputs, size)
            ours.load_state_dict(
                {
                    "weight_ih_l0": layer.gates.weight[:, :inputs],
                    "weight_hh_l0": layer.gates.weight[:, inputs:],
                    "bias_ih_l0": layer.gates.bias,
                    "bias_hh_l0": torch.zeros(4 * size),
                }
            )
            self.layers.append(ours)
            self.starts.extend(nn.Parameter(start.detach().clone()) for start in (layer.hidden_H, layer.cell_H))
        self.output = nn.Linear(twin.output.in_features, twin.output.out_features)
        self.output.load_state_dict(twin.output.state_dict())

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Logits y_TBO of all steps."""
        below_TBI, hiddens = x_TBI, []
        starts = [start.expand(1, x_TBI.shape[1], -1).contiguous() for start in self.starts]
        for layer, hidden_1BH, cell_1BH in zip(self.layers, starts[::2], starts[1::2], strict=True):
            hidden_TBH, _ = layer(below_TBI, (hidden_1BH, cell_1BH))
            hiddens.append(hidden_TBH)
            below_TBI = torch.cat([x_TBI, hidden_TBH], -1)
        return self.output(torch.cat(hiddens, -1))


class TorchTrainingStep:
    """A training step of a `TorchLSTM` as torch offers it: autograd, value clipping and `torch.optim.RMSprop`."""

    def __init__(self, model: TorchLSTM, settings: TrainSettings, batch: Tensors) -> None:
        self.model, self.batch, self.clip_at = model, batch, settings.clip_at
        self._learning_rate = settings.learning_rate
        self._first_values = {name: value.clone() for name, value in model.state_dict().items()}
        self.reset()

    def __call__(self) -> None:
        x_TBI, target_TBO, mask_TO = self.batch
        self.optimiser.zero_grad()
        loss.bits(self.model(x_TBI), target_TBO, mask_TO).mean().backward()
        nn.utils.clip_grad_value_(self.model.parameters(), self.clip_at)
        self.optimiser.step()

    def reset(self) -> None:
        """Restore the initial weights, as `TrainingStep.reset` does."""
        self.model.load_state_dict(self._first_values)
        self.optimiser = torch.optim.RMSprop(
            self.model.parameters(), lr=self._learning_rate, alpha=0.95, eps=1e-4, momentum=0.9, centered=True
        )
