using System.Runtime.CompilerServices;

namespace FreeFlow.Router.Observe;

/// <summary>Text of a line that is built only if the log wants it.</summary>
[InterpolatedStringHandler]
internal ref struct DetailText
{
    private DefaultInterpolatedStringHandler _text;

    public DetailText(int literalLength, int formattedCount, Log log, out bool wanted)
    {
        wanted = log.Verbose;
        _text = wanted ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public string ToText() => _text.ToStringAndClear();
}
